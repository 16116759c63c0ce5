"""What `shopbot evaluate understanding` measures: one module a bar, each returning plain figures."""
