/* srv-types.h - names that headers need before the classes are declared
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

#include "srv-enums.h"
#include "srv-error.h"
#include "srv-version.h"
#include "srv-visibility.h"

G_BEGIN_DECLS

typedef struct _SrvBaseRequestHandler SrvBaseRequestHandler;
typedef struct _SrvBaseServer SrvBaseServer;
typedef struct _SrvConnection SrvConnection;
typedef struct _SrvDatagram SrvDatagram;
typedef struct _SrvEndpoint SrvEndpoint;
typedef struct _SrvFraming SrvFraming;
typedef struct _SrvMixIn SrvMixIn;
typedef struct _SrvReader SrvReader;
typedef struct _SrvRequest SrvRequest;
typedef struct _SrvWriter SrvWriter;

G_END_DECLS
