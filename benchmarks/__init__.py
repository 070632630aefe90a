"""How fast the methods of `convlab.ops.conv2d` are, beside PyTorch and what people write instead.

``python -m benchmarks`` (``make bench``) measures everything and stores it under
``benchmarks/results``; ``python -m benchmarks.report`` prints what is stored. README.md in this
folder says how the times are taken and what each number means.

From the ground up, imports run downwards only:

=============  ================================================================
`layers`       which convolutions: tables of layers of well-known networks
`suites`       which cases of them are measured together
`store`        the form of a result, and its file
`timing`       clocks, rounds, medians
`machine`      CPU, versions, environment variables; `libraries` their kernels, SGEMM
`problems`     random arrays for a case, the exact answer, parts of a problem
`contenders`   torch and convlab, forward; `backward` the gradients; `peers` the rest
`measure`      one case: right? how much memory? how long? `shares` of cases too long
`worker`       the process that measures, in a chosen environment; `request` asks it
`processes`    starts such a process and listens to it
`report`       tables for people; `progress` while they wait
`__main__`     the command line: starts workers, stores, prints
`training`     another command line, for training loops; its parts are in `loops`
=============  ================================================================
"""
