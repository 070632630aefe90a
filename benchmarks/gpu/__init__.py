"""Everything that is measured on a GPU, in one command: ``python -m benchmarks.gpu --out FILE``.

Each part runs in a process of its own, with a time limit, and the file is written whenever a part
has something new. Each module imports only modules above it:

==============  ================================================================
`store`         the format of a result, and its file
`request`       the request to a worker, which has a time limit
`parts`         the device, the tests marked ``gpu``, training, inference
`trace`         time of a training step, split by PyTorch's profiler
`accuracy`      trainings on CIFAR-10 to an accuracy
`worker`        the process that runs one part
`report`        tables in Markdown
==============  ================================================================
"""
