import numpy as np
np.random.seed(1)
inputs = np.random.rand(15, 6)
targets = np.random.randint(0, 4, size=15)
weights1 = np.random.randn(6, 9)
bias1 = np.random.randn(9)
weights2 = np.random.randn(9, 4)
bias2 = np.random.randn(4)
batch_size = inputs.shape[0]
hidden_in = np.matmul(inputs, weights1) + bias1
hidden_out = hidden_in.clip(min=0)
output = np.matmul(hidden_out, weights2) + bias2
output_max = np.amax(output, axis=1).reshape(-1, 1)
softmax = np.exp(output - output_max) / np.exp(output - output_max).sum(axis=1).reshape(-1, 1)
total_loss = 0
for idx, label in enumerate(targets):
    total_loss += -np.log(softmax[idx, label])
mean_loss = total_loss / batch_size
one_hot = np.zeros((batch_size, 4))
one_hot[np.arange(batch_size), targets] = 1
d_output = (softmax - one_hot) / batch_size
d_weights2 = np.matmul(hidden_out.T, d_output)
d_bias2 = np.sum(d_output, axis=0)
d_hidden = np.matmul(d_output, weights2.T)
d_hidden_in = d_hidden * np.where(hidden_in > 0, 1, 0)
d_weights1 = np.matmul(inputs.T, d_hidden_in)
d_bias1 = np.sum(d_hidden_in, axis=0)
d_inputs = np.matmul(d_hidden_in, weights1.T)
