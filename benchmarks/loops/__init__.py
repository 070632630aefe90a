"""Training loops, compared by the number of images per second that they train on.

``python -m benchmarks.training`` measures them. Each module imports only modules above it:

===============  ==============================================================
`store`          the format of a result, and its file
`task`           images, network and settings, which all loops share
`plain`          the loop that most courses teach
`library`        `convlab.training.fit`
`lightning`      a Lightning `Trainer`
`bare`           a minimal fast loop: the speed that the others could reach
`contenders`     all loops, and which one setting each variant changes
`measure`        rounds of trainings, in turn; `device` describes the hardware
`fresh`          a new process: seconds until the first step, peak memory
`worker`         the process that measures one network; `request` its input
`report`         tables in Markdown
===============  ==============================================================
"""
