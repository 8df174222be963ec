"""The assembly with every expression resolved, as a graph of what refers to what.

    model = Model(load("cdk.out"))
    for node in model.of("AWS::S3::Bucket"):
        print(node.path, node.arn, [str(other) for other in model.referrers(node)])

Works on any CDK or CloudFormation assembly. What the assembly does not say is an :class:`~assembly.resolve.Unresolved` value.
"""

from assembly.change import put
from assembly.resolve import INVENTED, Unresolved, unresolved_in
from proofs.model.change import changed, without
from proofs.model.graph import Model, Node, as_list, as_mapping, at, truthy, walk

__all__ = [
    "INVENTED",
    "Model",
    "Node",
    "Unresolved",
    "as_list",
    "as_mapping",
    "at",
    "changed",
    "put",
    "truthy",
    "unresolved_in",
    "walk",
    "without",
]
