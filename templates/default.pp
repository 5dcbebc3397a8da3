# Empty on purpose: what is declared here would collide with the classes of the ENC.
