"""The bundled exchange: a real server that speaks Deriv's protocol over seeded prices."""
