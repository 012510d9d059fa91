"""Ways to a citizen's own address: SMS, mail, the city's app. Whoever uses them keeps the message and its tries."""
