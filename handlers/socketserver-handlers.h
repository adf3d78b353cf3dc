/* socketserver-handlers.h - the one header for all ready handlers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <socketserver.h>

#include "srv-account-error.h"
#include "srv-account-store.h"
#include "srv-auth-handler.h"
#include "srv-chargen-handler.h"
#include "srv-chat-error.h"
#include "srv-chat-event.h"
#include "srv-chat-handler.h"
#include "srv-chat-hub.h"
#include "srv-chat-member.h"
#include "srv-chat-store.h"
#include "srv-command-frame.h"
#include "srv-command-handler.h"
#include "srv-command-policy.h"
#include "srv-datagram-echo-handler.h"
#include "srv-datagram-time-handler.h"
#include "srv-datagram-upper-handler.h"
#include "srv-discard-handler.h"
#include "srv-echo-handler.h"
#include "srv-event-log.h"
#include "srv-finger-handler.h"
#include "srv-greeting-handler.h"
#include "srv-identity-handler.h"
#include "srv-jim-handler.h"
#include "srv-line-chat-handler.h"
#include "srv-memory-chat-store.h"
#include "srv-script-handler.h"
#include "srv-script.h"
#include "srv-time-format.h"
#include "srv-time-handler.h"
#include "srv-upload-handler.h"
#include "srv-upload-store.h"
#include "srv-upper-handler.h"
