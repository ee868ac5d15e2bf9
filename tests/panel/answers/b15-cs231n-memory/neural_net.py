from __future__ import print_function

import numpy as np
import torch


class TwoLayerNet(object):
    """
    A two-layer fully-connected neural network: input - fully connected - ReLU - fully connected - softmax.
    """

    def __init__(self, input_size, hidden_size, output_size, std=1e-1, seed=0):
        rng = np.random.RandomState(seed)
        self.params = {}
        self.params['W1'] = std * rng.randn(input_size, hidden_size)
        self.params['b1'] = np.zeros(hidden_size)
        self.params['W2'] = std * rng.randn(hidden_size, output_size)
        self.params['b2'] = np.zeros(output_size)

    def loss(self, X, y):
        """
        Returns a tuple of:
        - loss: mean data loss for this batch
        - grads: dictionary with the same keys as self.params, and 'X'
        """
        W1, b1 = self.params['W1'], self.params['b1']
        W2, b2 = self.params['W2'], self.params['b2']
        N, D = X.shape

        # forward pass
        a1 = X.dot(W1) + b1                      # (N, H)
        h1 = np.maximum(0, a1)                   # (N, H)
        scores = h1.dot(W2) + b2                 # (N, C)

        # loss
        exp_scores = np.exp(scores)
        sum_exp = np.sum(exp_scores, axis=1, keepdims=True)
        probs = exp_scores / sum_exp
        loss = np.sum(np.log(sum_exp[:, 0]) - scores[range(N), y]) / N

        # backward pass
        grads = {}
        dscores = probs.copy()
        dscores[range(N)][:, y] -= 1
        dscores /= N

        grads['W2'] = h1.T.dot(dscores)
        grads['b2'] = np.sum(dscores, axis=0)
        dhidden = dscores.dot(W2.T)
        dhidden[a1 <= 0] = 0
        grads['W1'] = X.T.dot(dhidden)
        grads['b1'] = np.sum(dhidden, axis=0)
        grads['X'] = dhidden.dot(W1.T)
        return loss, grads


def torch_loss(params, X, y):
    p = {}
    for k in params:
        p[k] = torch.tensor(params[k], requires_grad=True)
    x = torch.tensor(X, requires_grad=True)
    h = torch.relu(x.mm(p['W1']) + p['b1'])
    scores = h.mm(p['W2']) + p['b2']
    loss = torch.nn.functional.cross_entropy(scores, torch.tensor(y).long())
    loss.backward()
    grads = {k: p[k].grad.numpy() for k in p}
    grads['X'] = x.grad.numpy()
    return loss.item(), grads


def rel_error(x, y):
    """ returns relative error """
    return np.max(np.abs(x - y) / (np.maximum(1e-8, np.abs(x) + np.abs(y))))


def check(net, X, y):
    X = X.astype(np.float64)
    net.params = {k: v.astype(np.float64) for k, v in net.params.items()}
    loss, grads = net.loss(X, y)
    tloss, tgrads = torch_loss(net.params, X, y)
    print('Difference between losses:', abs(loss - tloss))
    worst = 0
    for name in ('W1', 'b1', 'W2', 'b2', 'X'):
        e = rel_error(grads[name], tgrads[name])
        print('%s max relative error: %e' % (name, e))
        worst = max(worst, e)
    return worst < 1e-5


if __name__ == '__main__':
    rng = np.random.RandomState(1)
    net = TwoLayerNet(4, 10, 3)
    print(check(net, 10 * rng.randn(5, 4), np.array([0, 1, 2, 2, 1])))
