"""What people say of items: tables of judgements, and the survey behind the Tag Genome, which is fetched and read."""

SURVEY = "tag-genome-survey"
"""Name of the survey behind the Tag Genome."""
