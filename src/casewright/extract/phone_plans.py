"""The numbering plans of all countries, in memory once this is imported: where a child looks for numbers it may open no
file any more, and the library reads each plan when it is first asked for."""

import phonenumbers

phonenumbers.PhoneMetadata.load_all()
