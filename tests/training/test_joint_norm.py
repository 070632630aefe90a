"""With several processes, batch normalization is that of the joint batch; else nothing changes."""

from torch import nn

from convlab.training.joint_norm import JointBatchNorm, joint_batch_norm


def test_layers_change_their_class_for_a_while_and_keep_their_names():
    model = nn.Sequential(nn.BatchNorm2d(3), nn.Sequential(nn.BatchNorm1d(2)), nn.GroupNorm(1, 3))
    before = {name: id(value) for name, value in model.named_parameters()}
    with joint_batch_norm(model):
        assert isinstance(model[0], JointBatchNorm)
        assert isinstance(model[1][0], JointBatchNorm)
        assert type(model[2]) is nn.GroupNorm
        assert {name: id(value) for name, value in model.named_parameters()} == before
    assert type(model[0]) is nn.BatchNorm2d
    assert type(model[1][0]) is nn.BatchNorm1d
