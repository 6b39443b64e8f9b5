"""Studies: what did we look at, and what do we think of it?"""

from guidedrec_core.app import page
from guidedrec_core.app.errors import guard
from guidedrec_core.app.studies import listing, people, study

frame = page.begin("What did we look at, and was it good?", ":material/collections_bookmark:")
page.finish(frame)
with guard():
    if frame.place.get("test"):
        people.people_test(frame)
    elif frame.place.get("study"):
        study.study(frame)
    else:
        listing.listing(frame)
