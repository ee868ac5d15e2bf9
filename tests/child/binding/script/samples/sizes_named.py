import numpy as np

np.random.seed(0)
N, D_in, H, D_out = 64, 10, 20, 5
x = np.random.randn(N, D_in)
labels = np.random.randint(0, D_out, N)
w1 = np.random.randn(D_in, H) * 0.1
b1 = np.zeros(H)
w2 = np.random.randn(H, D_out) * 0.1
b2 = np.zeros(D_out)

h = x.dot(w1) + b1
h_relu = np.maximum(h, 0)
scores = h_relu.dot(w2) + b2
scores -= scores.max(axis=1, keepdims=True)
exp_scores = np.exp(scores)
probs = exp_scores / exp_scores.sum(axis=1, keepdims=True)
loss = -np.log(probs[range(N), labels]).sum() / N
print("loss", loss)

grad_scores = probs.copy()
grad_scores[range(N), labels] -= 1
grad_scores /= N
grad_w2 = h_relu.T.dot(grad_scores)
grad_b2 = grad_scores.sum(axis=0)
grad_h_relu = grad_scores.dot(w2.T)
grad_h = grad_h_relu.copy()
grad_h[h < 0] = 0
grad_w1 = x.T.dot(grad_h)
grad_b1 = grad_h.sum(axis=0)
grad_x = grad_h.dot(w1.T)
