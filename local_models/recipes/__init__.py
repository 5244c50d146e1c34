"""One file a recipe: a data law and the model trained on it. The file name is the recipe's name."""
