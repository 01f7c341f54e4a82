"""A Telegram bot that looks orders up by a step of httpstep. docs/bots.md says how to start it."""

from __future__ import annotations

import os
import re

from telegram import Update
from telegram.ext import ApplicationBuilder, ContextTypes, MessageHandler, filters

from httpstep_client import Client

steps = Client(os.environ["HTTPSTEP_URL"], os.environ["HTTPSTEP_KEY"])


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


if __name__ == "__main__":
    builder = ApplicationBuilder().token(os.environ["TELEGRAM_TOKEN"])
    builder = builder.base_url(os.environ.get("TELEGRAM_API", "https://api.telegram.org/bot"))
    bot = builder.concurrent_updates(True).build()  # one slow step holds up nobody else
    bot.add_handler(MessageHandler(filters.TEXT & ~filters.COMMAND, look_up))
    bot.run_polling()
