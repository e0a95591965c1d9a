"""Who may come in, and whose request a request is.

rules       what the settings ask for, and what they may not
visitor     who is looking, or why nobody may
one_time    keys of one-time addresses, each good once and for ten minutes
key_file    lets `projector console --address` make such an address while the console runs
sessions    what such an address begins: a signed cookie and a row in memory
entered     the way in on a loopback address, made of these
door        the routes by which one comes in and leaves
proxied     the way in behind a sign-on proxy
forgery     that a POST comes from a page of ours
"""
