import numpy as np
import torch

# I am used to the convention of examples in columns, so X is transposed once on the way in
# and the gradients are transposed back on the way out.


def relu(Z):
    A = np.maximum(0, Z)
    activation_cache = Z
    return A, activation_cache


def linear_forward(A_prev, W, b):
    # A_prev (n_prev, m), W (n, n_prev), b (n, 1)
    Z = np.dot(W, A_prev) + b
    return Z, (A_prev, W, b)


def compute_cost(ZL, Y):
    """
    ZL -- logits, shape (C, m)
    Y  -- one hot labels, shape (C, m)
    """
    m = Y.shape[1]
    zmax = np.max(ZL, axis=0, keepdims=True)
    lse = zmax + np.log(np.sum(np.exp(ZL - zmax), axis=0, keepdims=True))
    cost = np.sum(Y * (lse - ZL)) / m
    AL = np.exp(ZL - lse)
    return float(np.squeeze(cost)), AL


def convert_to_one_hot(Y, C):
    return np.eye(C)[Y.reshape(-1)].T


def L_model_forward(X, y, parameters):
    """X is (B, D) as given; parameters holds W1 (D, H), b1 (H,), W2 (H, C), b2 (C,)"""
    W1 = parameters["W1"].T
    b1 = parameters["b1"].reshape(-1, 1)
    W2 = parameters["W2"].T
    b2 = parameters["b2"].reshape(-1, 1)
    Y = convert_to_one_hot(y, W2.shape[0])

    Z1, linear_cache1 = linear_forward(X.T, W1, b1)
    A1, activation_cache1 = relu(Z1)
    Z2, linear_cache2 = linear_forward(A1, W2, b2)
    cost, A2 = compute_cost(Z2, Y)
    caches = (linear_cache1, activation_cache1, linear_cache2, A2, Y)
    return cost, caches


def linear_backward(dZ, cache):
    A_prev, W, b = cache
    dW = np.dot(dZ, A_prev.T)
    db = np.sum(dZ, axis=1, keepdims=True)
    dA_prev = np.dot(W.T, dZ)
    assert dW.shape == W.shape
    assert db.shape == b.shape
    assert dA_prev.shape == A_prev.shape
    return dA_prev, dW, db


def relu_backward(dA, Z):
    dZ = np.array(dA, copy=True)
    dZ[Z <= 0] = 0
    return dZ


def L_model_backward(caches):
    linear_cache1, activation_cache1, linear_cache2, A2, Y = caches
    m = Y.shape[1]
    dZ2 = (A2 - Y) / m
    dA1, dW2, db2 = linear_backward(dZ2, linear_cache2)
    dZ1 = relu_backward(dA1, activation_cache1)
    dA0, dW1, db1 = linear_backward(dZ1, linear_cache1)
    grads = {
        "dW1": dW1.T, "db1": db1.ravel(),
        "dW2": dW2.T, "db2": db2.ravel(),
        "dX": dA0.T,
    }
    return grads


def pytorch_model(X, y, parameters):
    t = {k: torch.tensor(v, requires_grad=True) for k, v in parameters.items()}
    tX = torch.tensor(X, requires_grad=True)
    A1 = torch.relu(tX.mm(t["W1"]) + t["b1"])
    Z2 = A1.mm(t["W2"]) + t["b2"]
    cost = torch.nn.CrossEntropyLoss()(Z2, torch.tensor(y, dtype=torch.int64))
    cost.backward()
    grads = {"d" + k: v.grad.numpy() for k, v in t.items()}
    grads["dX"] = tX.grad.numpy()
    return cost.item(), grads


def gradient_difference(g1, g2):
    numerator = np.linalg.norm(g1 - g2)
    denominator = np.linalg.norm(g1) + np.linalg.norm(g2)
    return numerator / denominator


def compare(X, y, parameters, tol=1e-7):
    # the check always runs in double precision
    X = X.astype(np.float64)
    parameters = {k: v.astype(np.float64) for k, v in parameters.items()}
    cost, caches = L_model_forward(X, y, parameters)
    grads = L_model_backward(caches)
    cost_t, grads_t = pytorch_model(X, y, parameters)
    ok = abs(cost - cost_t) < tol
    for key in ["dW1", "db1", "dW2", "db2", "dX"]:
        assert grads[key].shape == grads_t[key].shape
        diff = gradient_difference(grads[key], grads_t[key])
        print(key, "difference =", diff)
        ok = ok and diff < tol
    print("Your backward propagation works perfectly fine!" if ok else "There is a mistake in the backward propagation!")
    return ok


if __name__ == "__main__":
    np.random.seed(1)
    X = np.random.randn(5, 4)
    y = np.random.randint(0, 3, 5)
    parameters = {
        "W1": np.random.randn(4, 6), "b1": np.random.randn(6),
        "W2": np.random.randn(6, 3), "b2": np.random.randn(3),
    }
    compare(X, y, parameters)
