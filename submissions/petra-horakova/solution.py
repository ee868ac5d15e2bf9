import numpy as np
import torch
import torch.nn.functional as F


def softmax(Z):
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)


def forward(X, y, W1, b1, W2, b2):
    Z1 = np.dot(X, W1) + b1
    H1 = np.maximum(Z1, 0)
    Z2 = np.dot(H1, W2) + b2
    P = softmax(Z2)
    top = Z2.max(axis=1)
    logs = top + np.log(np.exp(Z2 - top[:, None]).sum(axis=1))
    loss = np.mean(logs - Z2[np.arange(len(y)), y])
    return loss, (X, y, W1, W2, Z1, H1, P)


def backward(cache):
    X, y, W1, W2, Z1, H1, P = cache
    dZ2 = P.copy()
    for i in xrange(len(y)):
        dZ2[i, y[i]] -= 1
    dZ2 /= len(y)
    dZ1 = np.dot(dZ2, W2.T) * (Z1 > 0)
    return {
        "W1": np.dot(X.T, dZ1), "b1": dZ1.sum(axis=0),
        "W2": np.dot(H1.T, dZ2), "b2": dZ2.sum(axis=0),
        "X": np.dot(dZ1, W1.T),
    }


def torch_forward_backward(X, y, W1, b1, W2, b2):
    t = {}
    for k, v in dict(X=X, W1=W1, b1=b1, W2=W2, b2=b2).iteritems():
        t[k] = torch.tensor(v, requires_grad=True)
    loss = F.cross_entropy(F.relu(t["X"] @ t["W1"] + t["b1"]) @ t["W2"] + t["b2"], torch.tensor(y).long())
    loss.backward()
    return loss.item(), dict((k, t[k].grad.numpy()) for k in t)


def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    ours = backward(cache)
    theirs = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    for k in ours:
        err = np.abs(ours[k] - theirs[k]).max()
        print "largest difference of %s: %g" % (k, err)
        if err > 1e-9:
            print "WRONG:", k
            return False
    return True
