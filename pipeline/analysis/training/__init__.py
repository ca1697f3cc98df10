"""How a Keras or TensorFlow program trains: the settings it is given, the data set it goes through, its rounds."""
