"""Word lists for reading the sentences of a rationale: which way a word points, and what it claims."""

import re

from guidedrec_core.language import word_set

FOR = word_set(
    "add adds added adding lift lifts lifted raise raises raised help helps helped boost boosts boosted support "
    "supports supported favour favours favor favors gain gains plus strengthen strengthens up benefit benefits "
    "positive positively earns earned higher more credit bonus advantage increase increases increased"
)
AGAINST = word_set(
    "against lower lowers lowered reduce reduces reduced take takes took cost costs hurt hurts subtract subtracts "
    "subtracted weaken weakens drag drags dragged down minus detract detracts drawback despite negative negatively "
    "lose loses lost less penalty penalises penalizes decrease decreases decreased deducts worse off downside hinders "
    "harms cuts"
)
UP = word_set(
    "climb climbs climbed rise rises rose up gain gains gained lift lifts lifted raise raises raised jump jumps "
    "jumped promotes promoted improve improves improved advance advances advanced"
)
DOWN = word_set(
    "drop drops dropped fall falls fell down slip slips slipped sink sinks sank lose loses demotes demoted declines "
    "declined pushed back"
)
ABOVE = word_set(
    "more high higher above much strong strongly over exceeds exceed seeks seek leans beyond greater plenty top"
)
BELOW = word_set("less low lower below little hardly avoids avoid shies under few weak weakly short scant beneath")
DENIALS = word_set("not no never neither nor without doesnt isnt dont cannot hardly barely nothing none")
WITHOUT = re.compile(
    r"\bwithout\b|\bif\b|\bhad .{0,40}\bnot\b|\bremov\w+|\bleav\w+ .{0,40}\bout\b|\bleft out\b|\btak\w+ .{0,40}\bout\b|"
    r"\babsent\b|\bbut for\b|\bmissing\b|\babsence\b|\bdropp\w+|\bdrop\b|\bwere it not\b"
)
FIRST = word_set(
    "largest biggest strongest main chief greatest foremost primary leading prime most principal heaviest key top "
    "decisive dominant"
)
SECOND = {"second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "next": 0, "runner": 0}
LAST = word_set("smallest weakest least lowest minor fewest slightest")
ALONE = word_set("sole solely entirely exclusively alone always purely fully")
CAUSES = word_set(
    "because due thanks owing therefore led leads drives drove driven caused causes cause causing responsible result "
    "results hence consequently explains reason reasons why made makes since thus"
)
LARGER = word_set(
    "more larger bigger stronger outweighs outweigh exceeds exceed ahead above beats beat heavier tops over"
)
SMALLER = word_set("less smaller weaker behind below under lighter trails outweighed")
PATTERN_WORDS = word_set("pattern patterns purchase purchases purchasing behaviour behavior")
POPULAR_WORDS = word_set("popularity popular bestseller bestselling")
# What merchandisers would love to hear and no evidence holds.
OUTSIDE = word_set(
    "price prices priced cheap cheaper expensive discount discounts sale sales offer stock review reviews rating "
    "ratings brand brands quality award awards awarded guarantee guaranteed perfect excellent amazing recommendable "
    "buy gift trending season seasonal competitor margin profit people others customers shoppers buyers everyone "
    "everybody"
)
