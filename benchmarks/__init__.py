"""Benchmarks of `convlab.ops.conv2d` against PyTorch and other common implementations.

``python -m benchmarks`` (``make bench``) measures everything and stores it under
``convlab/results/files``; ``python -m benchmarks.report`` prints what is stored. README.md in this
folder says how the times are taken and what each number means.

Each module imports only modules above it:

=============  ====================================================================
`layers`       tables of the convolutions of well-known networks
`suites`       cases that are measured together
`store`        the dataclasses of a result, and its file
`timing`       clocks, rounds, medians
`machine`      CPU, versions, environment variables, load by other processes
`libraries`    BLAS and PyTorch kernels, thread pools, speed of SGEMM
`problems`     random arrays for a case, its exact result, parts of a case
`peers`        SciPy, NumPy and JAX implementations
`contenders`   PyTorch and convlab, forward and backward; the list for a suite
`measure`      one case: accuracy, memory, time; slow contenders on a part of it
`processes`    requests to a measuring process, its answers, a progress line
`worker`       the process that measures, in a given environment
`report`       tables of stored results
`__main__`     the command line: starts workers, stores, prints
`training`     another command line, for training loops; its parts are in `loops`
`accuracy`     test accuracy of the networks with default settings
=============  ====================================================================
"""
