"""What a notebook is for, as somebody would ask for it: from its title, its prose, its data and its code."""
