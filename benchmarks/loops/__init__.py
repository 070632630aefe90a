"""Training loops compared: how many images per second each of them trains on.

``python -m benchmarks.training`` measures them. From the ground up, imports run downwards only:

===============  ==============================================================
`store`          the format of a result, and its file
`task`           images, network and settings, which all loops share
`plain`          the loop that courses teach
`library`        `convlab.training.fit`
`lightning`      a Lightning `Trainer`
`bare`           the shortest loop that is fast: what the others could reach
`contenders`     all loops, and which one setting each variant changes
`measure`        rounds of trainings, in turn; `device` describes the hardware
`fresh`          a new process: seconds until the first step, peak memory
`worker`         the process that measures one network; `request` its input
`report`         tables in Markdown
===============  ==============================================================
"""
