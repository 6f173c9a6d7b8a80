"""How far the experts agree: pure figures (`coefficients`, `span_overlap`), what they are taken from (`judgements`), and the
report that pages, programs and files show (`report`).
"""
