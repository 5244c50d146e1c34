"""White-box mode: activations of local models read and changed at named sites, by plain forward hooks."""
