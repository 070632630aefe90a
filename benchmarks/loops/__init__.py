"""Training loops side by side: how many images per second each of them learns from.

``python -m benchmarks.training`` measures them. From the ground up, imports run downwards only:

===============  ==============================================================
`store`          the form of a result, and its file
`task`           what is trained on what: images, network, settings
`plain`          the loop that courses teach
`library`        `convlab.training.fit`
`lightning`      a Lightning `Trainer`; `fastai` a fastai `Learner`
`bare`           the shortest loop that is fast: what the others could reach
`contenders`     who takes part, and which one setting each variant changes
`measure`        rounds of trainings, in turn
`fresh`          a process of its own: seconds until the first step, peak memory
`worker`         the process that measures one network
`report`         tables for people
===============  ==============================================================
"""
