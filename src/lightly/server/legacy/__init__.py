"""Routes that only published clients before 1.2 call. No document of ours describes them."""
