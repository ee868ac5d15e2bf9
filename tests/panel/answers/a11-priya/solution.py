import numpy as np
import torch
import torch.nn.functional as F

# Part 1 -------------------------------------------------------------

# linear layer
def linear_forward(inp, W, b):
    out = np.dot(inp, W) + b
    return out

# relu
def relu_forward(Z):
    return np.maximum(0, Z)

# softmax + cross entropy, subtract max so that exp does not overflow
def softmax_loss(Z, y):
    B = Z.shape[0]
    Z = Z - np.max(Z, axis=1, keepdims=True)
    logsum = np.log(np.sum(np.exp(Z), axis=1, keepdims=True))
    logprobs = Z - logsum
    loss = -np.sum(logprobs[np.arange(B), y]) / B
    return loss, np.exp(logprobs)

def forward(X, y, W1, b1, W2, b2):
    Z1 = linear_forward(X, W1, b1)
    H1 = relu_forward(Z1)
    Z2 = linear_forward(H1, W2, b2)
    loss, probs = softmax_loss(Z2, y)
    cache = {}
    cache['X'] = X
    cache['y'] = y
    cache['Z1'] = Z1
    cache['H1'] = H1
    cache['W1'] = W1
    cache['W2'] = W2
    cache['probs'] = probs
    return loss, cache

# Part 2 -------------------------------------------------------------

def softmax_backward(probs, y):
    B = probs.shape[0]
    dZ = probs.copy()
    dZ[np.arange(B), y] -= 1
    dZ = dZ / B
    return dZ

def linear_backward(dout, inp, W):
    dW = np.dot(inp.T, dout)
    db = np.sum(dout, axis=0)
    dinp = np.dot(dout, W.T)
    return dW, db, dinp

# gradient goes through only where Z was positive
def relu_backward(dH, Z):
    dH = np.where(Z > 0, dH, 0)
    return dH

def backward(cache):
    grads = {}
    # loss -> Z2
    dZ2 = softmax_backward(cache['probs'], cache['y'])
    # Z2 -> W2, b2, H1
    dW2, db2, dout = linear_backward(dZ2, cache['H1'], cache['W2'])
    # H1 -> Z1
    relu_backward(dout, cache['Z1'])
    # Z1 -> W1, b1, X
    dW1, db1, dX = linear_backward(dout, cache['X'], cache['W1'])
    grads['W1'] = dW1
    grads['b1'] = db1
    grads['W2'] = dW2
    grads['b2'] = db2
    grads['X'] = dX
    return grads

# Part 3 -------------------------------------------------------------

def torch_forward_backward(X, y, W1, b1, W2, b2):
    X = torch.tensor(X, requires_grad=True)
    W1 = torch.tensor(W1, requires_grad=True)
    b1 = torch.tensor(b1, requires_grad=True)
    W2 = torch.tensor(W2, requires_grad=True)
    b2 = torch.tensor(b2, requires_grad=True)
    y = torch.tensor(y, dtype=torch.long)

    Z1 = torch.matmul(X, W1) + b1
    H1 = F.relu(Z1)
    Z2 = torch.matmul(H1, W2) + b2
    loss = F.cross_entropy(Z2, y)   # takes logits!
    loss.backward()

    return loss.item(), {'W1': W1.grad.numpy(), 'b1': b1.grad.numpy(),
                         'W2': W2.grad.numpy(), 'b2': b2.grad.numpy(), 'X': X.grad.numpy()}

def verify(X, y, W1, b1, W2, b2):
    loss1, cache = forward(X, y, W1, b1, W2, b2)
    grads1 = backward(cache)
    loss2, grads2 = torch_forward_backward(X, y, W1, b1, W2, b2)
    print("loss numpy:", loss1)
    print("loss torch:", loss2)
    good = True
    for name in ['W1', 'b1', 'W2', 'b2', 'X']:
        if grads1[name].shape != grads2[name].shape:
            print(name, "shape differs")
            good = False
            continue
        close = np.allclose(grads1[name], grads2[name], rtol=1e-4, atol=1e-6)
        print(name, "max abs diff =", np.max(np.abs(grads1[name] - grads2[name])), "->", close)
        good = good and close
    return good


if __name__ == "__main__":
    np.random.seed(1)
    B, D, H, C = 64, 128, 256, 10
    X = np.random.randn(B, D)
    y = np.random.randint(0, C, B)
    W1 = np.random.randn(D, H) * 0.05
    b1 = np.zeros(H)
    W2 = np.random.randn(H, C) * 0.05
    b2 = np.zeros(C)
    print("verified:", verify(X, y, W1, b1, W2, b2))
