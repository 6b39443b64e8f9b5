"""What the pages share: the only code of the package that knows Streamlit."""
