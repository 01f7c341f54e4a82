"""A Telegram bot with httpstep in the same Flask application: Telegram calls its webhook. See docs/embedding.md."""

from __future__ import annotations

import asyncio
import hmac
import os
import re
import threading

from flask import Flask, abort, request
from telegram import Update
from telegram.ext import ApplicationBuilder, ContextTypes, MessageHandler, filters
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from httpstep import create_app
from httpstep_client import Client

PUBLIC = os.environ["BOT_ADDRESS"]  # where Telegram and people's browsers find this application
OWN = os.environ.get("BOT_OWN_ADDRESS", "http://127.0.0.1:5000")  # where it serves, and calls itself
SECRET = os.environ["TELEGRAM_WEBHOOK_SECRET"]

app = Flask(__name__)
httpstep_app = create_app(data="steps-data", base_url=f"{PUBLIC}/steps")
app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/steps": httpstep_app})  # type: ignore[method-assign]
steps = Client(f"{OWN}/steps", os.environ["HTTPSTEP_KEY"])

builder = ApplicationBuilder().token(os.environ["TELEGRAM_TOKEN"]).updater(None)  # Telegram calls, nothing polls
builder = builder.base_url(os.environ.get("TELEGRAM_API", "https://api.telegram.org/bot"))
bot = builder.concurrent_updates(True).build()  # one slow step holds up nobody else
loop = asyncio.new_event_loop()  # the bot's, in a thread of its own: Flask has none


async def look_up(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    """“Where is order 1001?” -> “Your order is shipped.”"""
    if update.message is None:
        return
    number = re.search(r"\d+", update.message.text or "")
    if number is None:
        await update.message.reply_text("Which order? Send me its number.")
        return
    once = f"telegram-{update.update_id}"  # an update that comes again runs the step once
    answer = await steps.execute_async("order-status", {"order.id": number[0]}, idempotency_key=once)
    if answer.goes_on:
        await update.message.reply_text(f"Your order is {answer.attributes.get('order.status', 'on its way')}.")
    else:
        await update.message.reply_text("I cannot look that up just now.")


@app.post("/telegram")
def telegram() -> str:
    """An update of Telegram, which waits for this to end: the bot has its work in a queue."""
    given = request.headers.get("X-Telegram-Bot-Api-Secret-Token", "")
    if not hmac.compare_digest(given.encode(), SECRET.encode()):
        abort(403)
    loop.call_soon_threadsafe(bot.update_queue.put_nowait, Update.de_json(request.get_json(), bot.bot))
    return ""


async def start() -> None:
    await bot.initialize()
    await bot.start()
    await bot.bot.set_webhook(f"{PUBLIC}/telegram", secret_token=SECRET)


bot.add_handler(MessageHandler(filters.TEXT & ~filters.COMMAND, look_up))
threading.Thread(target=loop.run_forever, daemon=True).start()
asyncio.run_coroutine_threadsafe(start(), loop).result(60)

if __name__ == "__main__":
    app.run(port=int(OWN.rpartition(":")[2]), threaded=True)
