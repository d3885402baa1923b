"""Policy: what may move where, who must agree, and that it arrived."""
