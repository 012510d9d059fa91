"""What a past day would have been under other calling rules or another roster (规则试算).

The day's log is read once (:mod:`.reading`): who came when, how long each visit took, who did not come, when
windows were staffed and how quickly their clerks called. Then the same people come again
(:mod:`.running`) through the real ``decide`` and ``evolve``, and both days are compared (:mod:`.report`).

What stays as it was: instants of arrival; items and classes; the time from call to service and the
serving time of each item of each ticket; no-shows, and when they came back; parks, transfers and
hand-backs at the same point of the visit; a visitor who gave up leaves at the same instant if still
waiting; each clerk's observed pauses before calling, in their order. What cannot be known is stated
where it is used: people who were never served that day take the mean time of their item.
"""

from hallserver.engine.whatif.day import DayHead, DayLog, lasting
from hallserver.engine.whatif.report import Comparison, compare
from hallserver.engine.whatif.running import replay
from hallserver.engine.whatif.variant import Variant

__all__ = ["Comparison", "DayHead", "DayLog", "Variant", "compare", "lasting", "replay"]
