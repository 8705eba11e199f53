"""Calls as a telephone network mirrors them: RTP, and SIP where it is seen. All but sockets and process is pure."""
