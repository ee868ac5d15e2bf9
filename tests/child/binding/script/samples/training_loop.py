import numpy as np

N, D, H, C = 50, 8, 9, 4
X = np.random.randn(N, D)
y = np.random.randint(C, size=N)
W1, b1 = 0.1 * np.random.randn(D, H), np.zeros((1, H))
W2, b2 = 0.1 * np.random.randn(H, C), np.zeros((1, C))
lr = 0.5
history = []
for epoch in range(200):
    hidden = np.maximum(0, X @ W1 + b1)
    logits = hidden @ W2 + b2
    logits = logits - logits.max(axis=1, keepdims=True)
    e = np.exp(logits)
    probs = e / e.sum(axis=1, keepdims=True)
    loss = -np.log(probs[np.arange(N), y]).mean()
    history.append(loss)
    if epoch % 50 == 0:
        print(epoch, loss)

    dlogits = probs.copy()
    dlogits[np.arange(N), y] -= 1
    dlogits /= N
    dW2 = hidden.T @ dlogits
    db2 = dlogits.sum(axis=0, keepdims=True)
    dhidden = dlogits @ W2.T
    dhidden[hidden <= 0] = 0
    dW1 = X.T @ dhidden
    db1 = dhidden.sum(axis=0, keepdims=True)
    dX = dhidden @ W1.T

    W1 -= lr * dW1
    b1 -= lr * db1
    W2 -= lr * dW2
    b2 -= lr * db2
assert history[-1] < history[0]
