"""moto's server, one request at a time.

moto 5.2.3 answers on threads and decides conditional writes without a lock: of two UpdateItem calls that create one
item under attribute_not_exists, both succeed, and a transaction that fails takes back what other calls wrote
meanwhile. DynamoDB does neither.
"""
import sys
import threading

from moto import server
from moto.moto_server import werkzeug_app

answer = werkzeug_app.DomainDispatcherApplication.__call__
turn = threading.Lock()


def in_turn(application, environ, start_response):
    with turn:
        return answer(application, environ, start_response)


werkzeug_app.DomainDispatcherApplication.__call__ = in_turn
server.main(sys.argv[1:])
