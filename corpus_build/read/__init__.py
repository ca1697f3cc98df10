"""From files of any kind to notebooks, or the one reason why not."""
