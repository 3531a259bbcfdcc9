"""The steps themselves, of a store of your own or of a server, and what operators say of them."""
