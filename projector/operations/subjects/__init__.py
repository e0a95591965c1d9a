"""What is kept about a person, and where: the same list for whoever shows it and whoever erases it.

Found are more rows than are meant, by parts of ids and e-mails; then each is decoded and compared exactly.
"""
