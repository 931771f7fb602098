"""moto's server, one request at a time.

moto 5.2.3 answers on threads and decides conditional writes without a lock: of two UpdateItem calls that create one
item under attribute_not_exists, both succeed, and a transaction that fails takes back what other calls wrote
meanwhile. DynamoDB does neither. And its UpdateTable passes over encryption, which is set here.
"""
import sys
import threading

from moto import server
from moto.dynamodb import responses
from moto.moto_server import werkzeug_app

answer = werkzeug_app.DomainDispatcherApplication.__call__
turn = threading.Lock()


def in_turn(application, environ, start_response):
    with turn:
        return answer(application, environ, start_response)


werkzeug_app.DomainDispatcherApplication.__call__ = in_turn

update_table = responses.DynamoHandler.update_table


def with_encryption(handler):
    wanted = handler.body.get("SSESpecification")
    if wanted is not None:
        handler.dynamodb_backend.get_table(handler.body["TableName"]).sse_specification = wanted
    return update_table(handler)


responses.DynamoHandler.update_table = with_encryption
server.main(sys.argv[1:])
