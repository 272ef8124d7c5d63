"""OpenAI's client for Python, asked over standard input: one JSON object a line in, one a line out.

The first line says what to ask. After each piece of a stream it waits for a line, "on" or "leave"; after a call of a tool for
what came of it.
"""

import json
import sys

from openai import APIError, OpenAI


def tell(**said):
    print(json.dumps(said), flush=True)


def hear():
    return json.loads(sys.stdin.readline())


def ask(client, asked):
    messages = [{"role": "user", "content": asked["prompt"]}]
    request = {"model": asked["model"], "messages": messages}
    if asked["how"] == "chat":
        return client.chat.completions.create(**request).choices[0].message.content
    if asked["how"] == "stream":
        with client.chat.completions.create(**request, stream=True) as stream:
            for chunk in stream:
                if chunk.choices and chunk.choices[0].delta.content:
                    tell(piece=chunk.choices[0].delta.content)
                    if hear() == "leave":
                        return ""
        return ""
    tools = [{"type": "function", "function": asked["tool"]}]
    message = client.chat.completions.create(**request, tools=tools).choices[0].message
    call = message.tool_calls[0]
    tell(call=json.loads(call.function.arguments))
    result = {"role": "tool", "tool_call_id": call.id, "content": hear()}
    told = client.chat.completions.create(model=asked["model"], tools=tools, messages=[*messages, message, result])
    return told.choices[0].message.content


def main():
    asked = hear()
    client = OpenAI(base_url=asked["url"] + "/v1", api_key=asked["key"], max_retries=asked["retries"])
    try:
        tell(answer=ask(client, asked))
    except APIError as error:
        tell(status=getattr(error, "status_code", None), message=str(error.message))


main()
