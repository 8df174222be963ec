"""An alarm that tells somebody."""

from __future__ import annotations

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from constructs import Construct


class Alarm(Construct):
    """Publishes to ``topic`` when ``metric`` has been at ``threshold`` or beyond for ``periods`` of its periods.

    ``description`` says to a person what is wrong and what to do first. Missing data is no alarm unless ``silence`` says
    so: most metrics exist only while there is something to count.

    Control: observability.alarm.action
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        description: str,
        metric: cloudwatch.IMetric,
        threshold: float,
        topic: sns.ITopic,
        periods: int = 1,
        comparison: cloudwatch.ComparisonOperator = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        silence: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
    ) -> None:
        super().__init__(scope, construct_id)
        self.alarm = cloudwatch.Alarm(
            self,
            "Resource",
            alarm_description=description,
            metric=metric,
            threshold=threshold,
            evaluation_periods=periods,
            comparison_operator=comparison,
            treat_missing_data=silence,
        )
        self.alarm.add_alarm_action(actions.SnsAction(topic))


def watch_dead_letters(
    scope: Construct, construct_id: str, *, queue: sqs.IQueue, topic: sns.ITopic, meaning: str
) -> Alarm:
    """Tell ``topic`` as soon as one message waits in the dead-letter ``queue``; ``meaning`` says what that means.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/dead-letter-queues-alarms-cloudwatch.html
    """
    return Alarm(
        scope,
        construct_id,
        description=f"{meaning} Read the queue, mend the cause, then redrive.",
        metric=queue.metric_approximate_number_of_messages_visible(statistic="Maximum"),
        threshold=1,
        topic=topic,
    )
