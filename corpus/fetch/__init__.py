"""A small, polite fetcher of images from the open web, which trusts neither addresses nor servers nor files.

``addresses`` says where it may connect, ``connections`` holds it to that, ``politeness`` spares servers,
``optout`` reads what their owners do not allow, ``exchange`` makes one request and ``download`` follows
redirects and tries again, ``picture`` decides whether bytes are an image, ``parts`` writes img2dataset's
webdataset layout, ``fetching`` does it all for many addresses.
"""
