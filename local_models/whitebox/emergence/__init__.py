"""Information emergence (Chen et al. 2025): what a block passes on of a sequence beyond its tokens, in bits."""
