"""The console: the directory as web pages, for people who do not write SQL.

`app` serves the pages of `pages`, each the answer to one question: a function from what was asked (`asked`)
and one snapshot of the directory (`snapshot`) to what its template shows. Who may come in, and who may act,
is for `access` to say; what they may do, for `actions`.
"""
