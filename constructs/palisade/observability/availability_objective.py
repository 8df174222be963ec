"""An availability objective, and the alarms that fire when its error budget burns too fast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns

from constructs import Construct
from palisade.acknowledge import acknowledge, in_packs


@dataclass(frozen=True, kw_only=True)
class BurnRate:
    """Fires when the budget burns ``rate`` times too fast over the ``long`` window and still does over the ``short`` one."""

    name: str
    rate: float
    long: cdk.Duration
    short: cdk.Duration
    meaning: str


BURN_RATES = (
    BurnRate(
        name="Fast",
        rate=14.4,
        long=cdk.Duration.hours(1),
        short=cdk.Duration.minutes(5),
        meaning="an hour of this uses 2 % of the month's budget",
    ),
    BurnRate(
        name="Steady",
        rate=6,
        long=cdk.Duration.hours(6),
        short=cdk.Duration.minutes(30),
        meaning="six hours of this use 5 % of the month's budget",
    ),
    BurnRate(
        name="Slow",
        rate=1,
        long=cdk.Duration.days(3),
        short=cdk.Duration.hours(6),
        meaning="at this rate the month's budget is just used up",
    ),
)
"""Windows and rates of the SRE Workbook for a 30-day budget: https://sre.google/workbook/alerting-on-slos/"""


class AvailabilityObjective(Construct):
    """``percent`` of what is asked succeeds over 30 days; people hear of it long before it does not.

    ``counts`` are metrics by name and ``failed`` and ``asked`` metric-math sums of them (``"errors + probes - passed"``).
    Without anything asked there is no burn rate and no alarm. The long window says that it matters, the short one that it
    goes on: the alarm ends soon after the trouble does.

    Control: observability.objective.burn-rate
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create_Composite_Alarm.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        percent: float,
        counts: Mapping[str, cloudwatch.Metric],
        failed: str,
        asked: str,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        if not 0 < percent < 100:
            raise ValueError(f"{self.node.path}: percent is {percent}; an objective lies between 0 and 100, exclusive.")
        self._counts, self._failed, self._asked = counts, failed, asked
        self._budget = round(1 - percent / 100, 9)
        for burn in BURN_RATES:
            long, short = (
                self._window(f"{burn.name}{title}", window, burn.rate)
                for title, window in (("Long", burn.long), ("Short", burn.short))
            )
            cloudwatch.CompositeAlarm(
                self,
                burn.name,
                alarm_description=(
                    f"The error budget of {percent} % burns {burn.rate:g} times too fast: {burn.meaning}. "
                    "Look at the dashboard, and at the last deployment first."
                ),
                alarm_rule=cloudwatch.AlarmRule.all_of(
                    cloudwatch.AlarmRule.from_alarm(long, cloudwatch.AlarmState.ALARM),
                    cloudwatch.AlarmRule.from_alarm(short, cloudwatch.AlarmState.ALARM),
                ),
            ).add_alarm_action(actions.SnsAction(topic))

    def burn_rate(self, window: cdk.Duration) -> cloudwatch.MathExpression:
        """How many times faster than allowed the budget burned over ``window``."""
        return cloudwatch.MathExpression(
            expression=f"({self._failed}) / ({self._asked}) / {self._budget:.9f}".rstrip("0"),
            using_metrics={name: metric.with_(period=window) for name, metric in self._counts.items()},
            period=window,
            label=f"burn rate over {window.to_human_string()}",
        )

    def _window(self, construct_id: str, window: cdk.Duration, rate: float) -> cloudwatch.Alarm:
        alarm = cloudwatch.Alarm(
            self,
            construct_id,
            alarm_description=f"Part of a burn-rate alarm: {rate:g} times over {window.to_human_string()}.",
            metric=self.burn_rate(window),
            threshold=rate,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        acknowledge(
            alarm,
            f"{alarm.node.path}: says nothing alone; the composite alarm of both windows notifies.",
            *in_packs("CloudWatchAlarmAction", "NIST.800.53.R5", "HIPAA.Security"),
        )
        return alarm
