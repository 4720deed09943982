"""The gymnasium market simulator: observation, action, reward, one vector kernel."""
