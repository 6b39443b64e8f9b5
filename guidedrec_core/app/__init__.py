"""The Streamlit app: what all pages share, and one folder or file for each page. Nothing else imports Streamlit."""
