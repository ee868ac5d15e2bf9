import numpy as np
import torch

# Coming from C++/Eigen. Row-major double buffers everywhere, explicit sizes.


class Net:
    def __init__(self, W1, b1, W2, b2):
        self.W1 = W1
        self.b1 = b1
        self.W2 = W2
        self.b2 = b2
        self.D = W1.shape[0]
        self.H = W1.shape[1]
        self.C = W2.shape[1]

    def forward(self, X, y):
        assert X.shape[1] == self.D
        self.B = X.shape[0]
        self.X = X
        self.y = y
        self.Z1 = np.empty((self.B, self.H), dtype=X.dtype)
        np.matmul(X, self.W1, out=self.Z1)
        self.Z1 += self.b1
        self.H1 = np.where(self.Z1 > 0.0, self.Z1, 0.0)
        self.Z2 = np.matmul(self.H1, self.W2) + self.b2

        self.P = np.empty_like(self.Z2)
        loss = 0.0
        for i in range(self.B):
            row = self.Z2[i]
            m = np.max(row)
            e = np.exp(row - m)
            s = np.sum(e)
            self.P[i] = e / s
            loss += (m + np.log(s)) - row[y[i]]
        return loss / self.B

    def backward(self):
        dZ2 = np.copy(self.P)
        for i in range(self.B):
            dZ2[i, self.y[i]] -= 1.0
        dZ2 /= self.B

        dW2 = np.matmul(self.H1.transpose(), dZ2)
        db2 = np.sum(dZ2, axis=0)
        dH1 = np.matmul(dZ2, self.W2.transpose())
        assert dH1.shape == (self.B, self.H)

        dZ1 = np.where(self.Z1 > 0.0, dH1, 0.0)
        dW1 = np.matmul(self.X.transpose(), dZ1)
        db1 = np.sum(dZ1, axis=0)
        dX = np.matmul(dZ1, self.W1.reshape(self.H, self.D))
        assert dX.shape == (self.B, self.D)
        return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2, "dX": dX}


def run_torch(X, y, W1, b1, W2, b2):
    tX = torch.tensor(X, requires_grad=True)
    tW1 = torch.tensor(W1, requires_grad=True)
    tb1 = torch.tensor(b1, requires_grad=True)
    tW2 = torch.tensor(W2, requires_grad=True)
    tb2 = torch.tensor(b2, requires_grad=True)
    logits = torch.matmul(torch.relu(torch.matmul(tX, tW1) + tb1), tW2) + tb2
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(y, dtype=torch.long))
    g = torch.autograd.grad(loss, [tW1, tb1, tW2, tb2, tX])
    return loss.item(), {"dW1": g[0], "db1": g[1], "dW2": g[2], "db2": g[3], "dX": g[4]}


def compare(X, y, W1, b1, W2, b2):
    net = Net(W1, b1, W2, b2)
    net.forward(X, y)
    mine = net.backward()
    _, ref = run_torch(X, y, W1, b1, W2, b2)
    ok = True
    for key in mine:
        d = float(np.max(np.abs(mine[key] - ref[key].numpy())))
        scale = float(np.max(np.abs(ref[key].numpy())))
        good = d <= 1e-4 * scale + 1e-7
        print("%-4s maxdiff=%g %s" % (key, d, "PASS" if good else "FAIL"))
        ok = ok and good
    return ok


def main():
    rng = np.random.default_rng(2024)
    B, D, H, C = 4, 3, 5, 3
    X = rng.uniform(-1, 1, (B, D))
    y = rng.integers(0, C, B)
    W1 = rng.uniform(-1, 1, (D, H))
    b1 = rng.uniform(-1, 1, H)
    W2 = rng.uniform(-1, 1, (H, C))
    b2 = rng.uniform(-1, 1, C)
    return 0 if compare(X, y, W1, b1, W2, b2) else 1


if __name__ == "__main__":
    raise SystemExit(main())
