"""Judge: what people who are asked for their judgement see; they get its link."""

from guidedrec_core.app.judging.page import judge_page

judge_page()
