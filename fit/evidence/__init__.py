"""What another party needs to check a result: packed by `bundle`, checked by `check`."""
