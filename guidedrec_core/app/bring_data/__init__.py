"""Parts of the page that brings data: files, columns, what counts, a preview, attributes, and the build as a job."""
